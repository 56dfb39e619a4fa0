//go:build !((linux && (386 || amd64 || arm || arm64 || riscv64)) || (darwin && (amd64 || arm64)))

package pcre

// Pattern is a compiled expression, of which there is none here.
type Pattern struct{ Source }

func compile(Source) (*Pattern, error) { return nil, ErrNotHere }

// Match returns ErrNotHere.
func (*Pattern) Match(string) (*Match, error) { return nil, ErrNotHere }

// Close does nothing.
func (*Pattern) Close() {}
