"""Train a model on one image; `python main_train.py --help` lists the options."""

from consingan.cli import train

if __name__ == "__main__":
    train()
