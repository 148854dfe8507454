"""What mail programs with a dark mode make of a page that did not ask them to leave it.

Outlook (outlook.com, iOS, Android, the new one for Windows) turns the lightness of every colour about, in CIELAB, onto
the range above its own dark ground, as its editor does (``getDarkColor`` of github.com/microsoft/roosterjs). Gmail on iOS
turns all of them; Gmail on Android the light grounds and the dark letters alone. Pictures stay as they are.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DARK", "PROGRAMS"]

PROGRAMS: Final = ("outlook", "gmail on android")

#: A function for the page, given the program: it turns the colours.
DARK: Final = """program => {
    const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const gamma = v => v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055;
    const f = t => t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 * t + 16) / 116;
    const g = t => t ** 3 > 216 / 24389 ? t ** 3 : (116 * t - 16) * 27 / 24389;
    const lab = rgb => {
        const [r, gr, b] = rgb.slice(0, 3).map(v => linear(v / 255));
        const x = f((0.4124 * r + 0.3576 * gr + 0.1805 * b) / 0.9505);
        const y = f(0.2126 * r + 0.7152 * gr + 0.0722 * b);
        const z = f((0.0193 * r + 0.1192 * gr + 0.9505 * b) / 1.089);
        return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
    };
    const css = ([l, a, b]) => {
        const y = (l + 16) / 116;
        const [x, w, z] = [g(y + a / 500) * 0.9505, g(y), g(y - b / 200) * 1.089];
        const rgb = [3.2406 * x - 1.5372 * w - 0.4986 * z, -0.9689 * x + 1.8758 * w + 0.0415 * z,
                     0.0557 * x - 0.204 * w + 1.057 * z];
        return `rgb(${rgb.map(v => Math.round(255 * gamma(Math.min(Math.max(v, 0), 1)))).join(',')})`;
    };
    const base = lab([51, 51, 51])[0];
    const turned = (text, ground) => {
        const rgb = text.match(/[\\d.]+/g).map(Number);
        if (rgb.length === 4 && rgb[3] === 0) return null;
        const [l, a, b] = lab(rgb);
        if (program !== 'outlook' && (ground ? l < 50 : l > 50)) return null;
        return css([(100 - l) * (100 - base) / 100 + base, a, b]);
    };
    const all = [...document.body.querySelectorAll('*'), document.body].filter(e => e.tagName !== 'IMG');
    const found = all.map(e => [e, getComputedStyle(e)]).map(([e, s]) =>
        [e, turned(s.color, false), turned(s.backgroundColor, true), turned(s.borderTopColor, true)]);
    for (const [element, ink, ground, line] of found) {
        if (ink) element.style.setProperty('color', ink, 'important');
        if (ground) element.style.setProperty('background-color', ground, 'important');
        if (line) element.style.setProperty('border-color', line, 'important');
    }
}"""
