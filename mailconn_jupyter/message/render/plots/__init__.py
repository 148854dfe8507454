"""Figures and charts: drawn as pictures, and what plotting leaves behind beside them."""
