"""Model files from training runs: ONNX, 8-bit ONNX, and torch.export programs."""
