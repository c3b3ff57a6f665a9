"""What holds for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A slow or busy machine is no finding: nothing here is held against a clock. Nor is luck: the same
# code meets the same examples on every machine, and 'make laws' goes looking for others.
settings.register_profile(
    "steady",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=40,
    derandomize=True,
)
settings.register_profile(
    "thorough", settings.get_profile("steady"), max_examples=3000, derandomize=False
)
settings.load_profile("steady")
