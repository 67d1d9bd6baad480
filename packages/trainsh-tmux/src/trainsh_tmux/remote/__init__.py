"""What runs on hosts (`*.sh`), its installation, and the channel that asks a host. Any subpackage may import it."""
