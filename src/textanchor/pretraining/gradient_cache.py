"""The gradient of a loss over a batch whose activations would not fit into memory."""

from __future__ import annotations

import torch
from torch import nn

from textanchor.pretraining.objectives import Learner, Seen


def backward(learner: nn.Module, seen: Seen, chunk: int) -> float:
    """Add the whole batch's gradient to the learner's, `chunk` views at a time going through it; the loss.

    Where a loss ties items together, all views are embedded without a graph, then the loss's gradient by the embeddings is
    worked out, then each chunk is embedded again and carries its part of it back. Networks with dropout would embed differently
    the second time, so that ours have none. Batch normalisation differs: in training it sees chunks, so that the gradient is
    that of a network which normalises by chunk, and its running statistics are taken twice. Losses that are means over items
    are added up chunk by chunk.
    Source: Gao et al. 2021 (GradCache), arXiv:2101.06983, section 3.
    """
    if not isinstance(learner, Learner):
        return _added(learner, seen, max(1, chunk // seen.views.shape[0]))
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


def _added(learner: nn.Module, seen: Seen, items: int) -> float:
    whole, count = 0.0, len(seen.labels)
    for start in range(0, count, items):
        part = Seen(views=seen.views[:, start : start + items], labels=seen.labels[start : start + items])
        loss = learner(part) * (len(part.labels) / count)
        loss.backward()
        whole += float(loss.detach())
    return whole
