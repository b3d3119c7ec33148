package engine

// planHomes stub
func (b *builder) planHomes() {}
