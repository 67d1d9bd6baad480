"""What a run communicates with: tools, the view, the person who answers questions, signals and cancellation."""
