"""The gradient of a loss over a batch whose activations would not fit into memory."""

from __future__ import annotations

import torch

from textanchor.pretraining.objectives import Learner, Seen


def backward(learner: Learner, seen: Seen, chunk: int) -> float:
    """Add the whole batch's gradient to the learner's, `chunk` views at a time going through it; the loss.

    First all views are embedded without a graph, then the loss's gradient by the embeddings is worked out, then each chunk is
    embedded again and carries its part of it back. Networks with dropout would embed differently the second time, so that ours
    have none; normalisation by batch statistics sees chunks.
    Source: Gao et al. 2021 (GradCache), arXiv:2101.06983, section 3.
    """
    views = seen.views.shape[0]
    parts = torch.split(seen.views.flatten(0, 1), chunk)
    with torch.no_grad():
        embedded = torch.cat([learner.embed(part) for part in parts])
    embedded.requires_grad_()
    loss = learner.compare(embedded.view(views, -1, embedded.shape[-1]), seen.labels)
    loss.backward()  # type: ignore[no-untyped-call]
    assert embedded.grad is not None
    for part, slope in zip(parts, torch.split(embedded.grad, chunk), strict=True):
        learner.embed(part).backward(slope)  # type: ignore[no-untyped-call]
    return float(loss.detach())
