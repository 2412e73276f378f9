"""Status: what is on its way, what is there, whether all of it is as the law wants it, each as a figure with a name."""
