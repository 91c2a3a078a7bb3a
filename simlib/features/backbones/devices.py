"""The device and the dtype to compute with: what this machine does quickly."""

import torch


def best_device() -> torch.device:
    """Return the device to compute on: CUDA, Apple's MPS, or the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def compute_dtype(device: torch.device) -> torch.dtype:
    """Return bfloat16 if the device computes it quickly, else float32.

    On a CPU without instructions for it, bfloat16 is emulated and slower than float32.
    """
    if device.type == "cuda":
        quick = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capable = torch.cpu.get_capabilities() if device.type == "cpu" else {}
        quick = capable.get("amx_bf16", False) or capable.get("avx512_bf16", False)
    return torch.bfloat16 if quick else torch.float32
