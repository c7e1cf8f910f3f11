"""One page that says at a glance whether a training worked.

- `gather`: everything the page shows, collected from a run
- `verdicts`: plain words from the figures, with the thresholds and their reasons
- `figures`: pictures as data URIs and the loss curves as SVG
- `style`: the page's frame, shared with `consingan.compare`
- `page`: the page itself
- `evaluate`: what `evaluate_model.py` calls: judge, write metrics.json and report.html

This file imports nothing, so that a command line can offer the report without loading torch.
"""
