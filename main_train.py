"""Train a model on one image; `python main_train.py --help` lists the options."""

try:
    from consingan.cli import train
except KeyboardInterrupt:  # Ctrl+C while it is being loaded
    raise SystemExit(130) from None

if __name__ == "__main__":
    train()
