"""A set of options as traits: they are its keywords, for the call, for a type checker and for Shift+Tab."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, Signature, signature
from types import MappingProxyType
from typing import Any, ClassVar, Concatenate, Final, ParamSpec, Protocol, TypeVar, dataclass_transform, overload

from traitlets import HasTraits

from ..keywords import checked, unknown_keyword
from .option_kinds import AnyOption, Option

__all__ = ["OptionSet", "takes_options"]

A = TypeVar("A")
B = TypeVar("B")
R = TypeVar("R")
P = ParamSpec("P")

_MAIN: Final = "server_"


@dataclass_transform(kw_only_default=True)
class OptionSet(HasTraits):
    """Options that are given as keywords. In a subclass each is declared once, as ``timeout: Seconds = Seconds(...)``.

    To a type checker its traits are a dataclass's fields (PEP 681), of the type that each may be set to; a signature
    has them with their defaults.
    """

    _declared: ClassVar[Mapping[str, AnyOption]] = {}

    def __init__(self, **options: Any) -> None:
        super().__init__()
        # First of all: what a traceback shows of a frame is also this object.
        self._begin()
        if options.keys() - self._declared.keys():
            error = unknown_keyword(type(self).__name__, options, list(self.options()), _short(self.options()))
            options.clear()  # one may be a password
            assert error is not None
            raise error
        self._assign(options)

    def _begin(self) -> None:
        """Set what there is beside the options, before any of them is set."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = {name: trait for name, trait in vars(cls).items() if isinstance(trait, Option)}
        cls._declared = MappingProxyType({**cls._declared, **own})
        defaults = {name: option.default_value for name, option in cls._declared.items()}
        cls.__signature__ = Signature(_keywords(defaults))  # type: ignore[attr-defined]  # where inspect looks first
        about = (f"\n    {name}: {option.help}" for name, option in cls._declared.items())
        cls.__doc__ = f"{(cls.__doc__ or '').rstrip()}\n{''.join(about)}\n    "

    @classmethod
    def options(cls) -> Mapping[str, AnyOption]:
        """The declarations, by trait name, in the order of the form."""
        return cls._declared

    @classmethod
    def _with_implied(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options, and the switches that they turn on: ``--username ana`` means a login, unless it was said."""
        return dict(options) | {
            option.needs: True
            for name, option in cls.options().items()
            if option.turns_on and options.get(name) and option.needs not in options
        }

    def _assign(self, options: Mapping[str, Any]) -> None:
        options = self._with_implied(options)
        # The protocol first: it decides how the server's host is read.
        for name in sorted(options, key=lambda name: name != "protocol"):
            setattr(self, name, options[name])


class _Taking(Protocol[P]):
    @overload
    def __call__(self, method: Callable[[A], R], /) -> Callable[Concatenate[A, P], R]: ...
    @overload
    def __call__(self, method: Callable[[A, B], R], /) -> Callable[Concatenate[A, B, P], R]: ...


def takes_options(of: Callable[P, OptionSet]) -> _Taking[P]:
    """Let a method's ``**options`` be those of an option set: checked at the call, typed, and shown by Shift+Tab."""
    assert isinstance(of, type)
    assert issubclass(of, OptionSet)
    kind = of

    def typed(method: Any) -> Any:
        call = checked(method, list(kind.options()), _short(kind.options()))
        own = {name: one for name, one in signature(method).parameters.items() if one.kind is not Parameter.VAR_KEYWORD}
        # What is not given stays as it is, whatever the default.
        call.__signature__ = Signature(
            [*own.values(), *_keywords({name: ... for name in kind.options() if name not in own})]
        )
        return call

    return typed


def _short(options: Iterable[str]) -> dict[str, str]:
    """What people call the options of the server itself: ``host``, ``port``."""
    return {name.removeprefix(_MAIN): name for name in options if name.startswith(_MAIN)}


def _keywords(defaults: Mapping[str, Any]) -> list[Parameter]:
    return [Parameter(name, Parameter.KEYWORD_ONLY, default=value) for name, value in defaults.items()]
