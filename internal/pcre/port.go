//go:build (linux && (386 || amd64 || arm || arm64 || riscv64)) || (darwin && (amd64 || arm64))

package pcre

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"sync"

	"go.elara.ws/pcre/lib"
	"modernc.org/libc"
)

// Pattern is a compiled expression. It is safe for concurrent use.
type Pattern struct {
	Source

	mu   sync.Mutex // tls is for one at a time
	tls  *libc.TLS
	code uintptr // 0: closed
}

func compile(source Source) (*Pattern, error) {
	tls := libc.NewTLS()
	pattern, err := libc.CString(source.Pattern)
	if err != nil {
		tls.Close()
		return nil, fmt.Errorf("regular expression: %w", err)
	}
	defer libc.Xfree(tls, pattern)
	fault := libc.Xcalloc(tls, 1, sizeBytes+codeBytes)
	defer libc.Xfree(tls, fault)
	code := lib.Xpcre2_compile_8(tls, pattern, lib.Tsize_t(len(source.Pattern)), options(source), fault+sizeBytes, fault, 0)
	if code == 0 {
		defer tls.Close()
		number := int32(binary.NativeEndian.Uint32(libc.GoBytes(fault+sizeBytes, codeBytes)))
		return nil, &Error{source.Pattern, sizes(fault, 1)[0], message(tls, number)}
	}
	return &Pattern{Source: source, tls: tls, code: code}, nil
}

// What C's size_t and int take, in bytes.
const (
	sizeBytes = bits.UintSize / 8
	codeBytes = 4
)

// sizes are n values of C's type size_t. What is not set is -1.
func sizes(at uintptr, n int) []int {
	values := make([]int, n)
	for i, memory := 0, libc.GoBytes(at, n*sizeBytes); i < n; i++ {
		if sizeBytes == 8 {
			values[i] = int(binary.NativeEndian.Uint64(memory[8*i:]))
		} else {
			values[i] = int(int32(binary.NativeEndian.Uint32(memory[4*i:])))
		}
	}
	return values
}

func options(source Source) (flags uint32) {
	if source.Caseless {
		flags |= lib.DPCRE2_CASELESS
	}
	if source.DotAll {
		flags |= lib.DPCRE2_DOTALL
	}
	return flags
}

// message is PCRE's text for a code of its own.
func message(tls *libc.TLS, code int32) string {
	const room = 256
	text := libc.Xcalloc(tls, 1, room)
	defer libc.Xfree(tls, text)
	lib.Xpcre2_get_error_message_8(tls, code, text, room)
	return libc.GoString(text)
}

// Match looks for the expression anywhere in field. It returns nil if it is not there, and ErrGaveUp as Perform does.
func (p *Pattern) Match(field string) (*Match, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	subject, err := libc.CString(field)
	if err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	defer libc.Xfree(p.tls, subject)
	data := lib.Xpcre2_match_data_create_from_pattern_8(p.tls, p.code, 0)
	defer lib.Xpcre2_match_data_free_8(p.tls, data)
	count := lib.Xpcre2_match_8(p.tls, p.code, subject, lib.Tsize_t(len(field)), 0, 0, data, 0)
	switch {
	case count == lib.DPCRE2_ERROR_NOMATCH:
		return nil, nil
	case count < 0:
		return nil, fmt.Errorf("%w: %s", ErrGaveUp, message(p.tls, count))
	}
	pairs := int(lib.Xpcre2_get_ovector_count_8(p.tls, data))
	offsets := sizes(lib.Xpcre2_get_ovector_pointer_8(p.tls, data), 2*pairs)
	m := &Match{groups: make([]group, pairs), count: int(count)}
	for n := range m.groups {
		from, to := offsets[2*n], offsets[2*n+1]
		if from >= 0 && from <= to { // \K can turn them round
			m.groups[n] = group{field[from:to], true}
		}
	}
	return m, nil
}

// Close frees the Pattern, which cannot be used any more.
func (p *Pattern) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.code == 0 {
		return
	}
	lib.Xpcre2_code_free_8(p.tls, p.code)
	p.tls.Close()
	p.code = 0
}
