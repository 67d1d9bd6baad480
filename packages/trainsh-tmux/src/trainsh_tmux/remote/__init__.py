"""The scripts for hosts (`*.sh`), their installation, the channel to a host. Any subpackage may import it."""
