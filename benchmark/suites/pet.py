"""Oxford-IIIT Pet with 30 images a class and a generated auxiliary task: Table 3 of the paper."""

from benchmark.suites._cosine import CosineSGD
from benchmark.suites._few_shots import FewShots


class Pet(CosineSGD, FewShots):
    """37 breeds of cats and dogs; 70/30 of the official training set train and validate.

    The only suite of Table 3 whose settings the released code has; its weight decay is the first of the grid, the
    others are the paper's. See `FewShots`.
    """

    citation = "Parkhi et al., CVPR 2012; Navon et al., ICLR 2021, Table 3"
    datasets = ("pet",)
    main_task = "37 breeds of cats and dogs, 30 images a class"
    grid = {"lr": (1e-3,), "weight_decay": (5e-3, 5e-4, 5e-5)}
    defaults = {**FewShots.defaults, "auxilearn.outer_every": 30}
    origins = {
        **dict.fromkeys(FewShots.origins, "code"),
        "settings": "table",
        "30 of every class": "recalled",
        "weight decays": "summary",
    }
