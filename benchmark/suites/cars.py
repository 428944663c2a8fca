"""Stanford Cars with 30 images a class and a generated auxiliary task: Table 3 of the paper."""

from benchmark.suites._few_shots import FewShots


class Cars(FewShots):
    """196 models of cars; 70/30 of the official training set train and validate.

    Recalled, so named defaults: the sizes of the sets, Adam and its learning rate, the steps between two outer steps;
    see `FewShots` for all else.
    """

    citation = "Krause et al., 2013; Navon et al., ICLR 2021, Table 3"
    datasets = ("cars",)
    main_task = "196 models of cars, 30 images a class"
    defaults = {**FewShots.defaults, "auxilearn.outer_every": (40, 80)}
