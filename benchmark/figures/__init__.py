"""Figures of results: of every suite from its records, of the paper's own, and those that need a trained model."""

from benchmark.figures.style import FORMATS, PAGE_INCHES, SAMPLE_TITLE, STYLE, style
from benchmark.figures.weights import draw_weights, final_weights
from benchmark.figures.write import write_figures

__all__ = [
    "FORMATS",
    "PAGE_INCHES",
    "SAMPLE_TITLE",
    "STYLE",
    "draw_weights",
    "final_weights",
    "style",
    "write_figures",
]
