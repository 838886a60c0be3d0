"""Big models into small ones: text anchors, and encoders of items."""
