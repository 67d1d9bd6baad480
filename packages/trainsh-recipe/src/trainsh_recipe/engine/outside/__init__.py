"""What a run is connected to: tools, the view, questions to the person, signals and cancellation."""
