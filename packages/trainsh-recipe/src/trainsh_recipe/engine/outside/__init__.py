"""What a run is connected to: its tools, whoever looks on or answers, signals and cancellation."""
