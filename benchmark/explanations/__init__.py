"""Experiments beside the suites that say why a result is as it is; what they measure is in results/explanations."""
