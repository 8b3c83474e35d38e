"""The lab: a page on the user's own machine, on which a network is built, trained and watched."""
