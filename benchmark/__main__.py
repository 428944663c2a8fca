"""Which commands there are."""

import sys
from collections.abc import Sequence

COMMANDS = {
    "run": "compare methods on a suite: search, repeat, tabulate",
    "report": "tables, comparisons and figures from records",
    "prepare": "find or download, verify and decode the data of a suite",
    "figures": "the paper's own figures",
    "speed": "measure what methods, data and the harness cost",
}


def main(arguments: Sequence[str]) -> int:
    """Print the commands of the benchmark; words that follow are a mistake."""
    told = [f"python -m benchmark.{name:<8} {what}" for name, what in COMMANDS.items()]
    told.append("\nEach takes --help; python -m benchmark.run --list names suites and methods.")
    if arguments in ([], ["--help"]):
        print("\n".join(told))
        return 0
    name = arguments[0] if arguments[0] in COMMANDS else "run"
    print(f"error: benchmark has one module a command, such as python -m benchmark.{name}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
