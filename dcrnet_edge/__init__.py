"""DCRNet: the network, data sets, training and evaluation."""
