"""What scripts written for eBNN find in its package of that name: see :mod:`ebnn.utils.binary_util`."""
