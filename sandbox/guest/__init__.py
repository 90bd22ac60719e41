"""What runs inside the container. Stands alone: it imports `sandbox.wire` and nothing else of ours."""
