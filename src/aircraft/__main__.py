"""`python -m aircraft ...`: the same as the command `aircraft`; torchrun starts it this way.

torchrun --nproc-per-node=2 -m aircraft train --data imbalanced --out RUN
"""

from aircraft.cli import main

if __name__ == "__main__":
    main()
