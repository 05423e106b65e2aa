"""Real faults on real brokers: the programs in terminals, two boards, and the cable between them. See dev/chaos.sh."""
