"""Pipeline components: the base classes `Pipe` and `TrainablePipe`, then one module a component."""
