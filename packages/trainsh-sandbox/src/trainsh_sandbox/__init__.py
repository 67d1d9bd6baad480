"""train-sandbox is a simulated GPU market. The market's machines and storage run on this machine."""
