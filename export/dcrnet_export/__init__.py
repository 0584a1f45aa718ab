"""DCRNet checkpoints to ONNX and TFLite files, float and int8, each checked against torch."""
