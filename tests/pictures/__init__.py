"""Pictures of threads for the README, drawn from what the adapters send to fake platforms."""
