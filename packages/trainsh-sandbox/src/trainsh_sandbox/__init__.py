"""train-sandbox: a simulated GPU market whose machines and storage run on this machine."""
