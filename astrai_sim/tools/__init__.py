"""What is built on engine, recorder and trace: command line, plots, benchmarks."""
