"""Losses: tensors in, one number out. A loss knows no model and no file.

Every loss is called with projected items [b, d], their texts' anchor vectors [b, d], the bank of all distinct training
texts [t, d] and the mask of each item's own texts in it [b, t], and uses what it needs.
"""
