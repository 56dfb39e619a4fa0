package disk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
)

// Damage says what is wrong with a file.
type Damage struct {
	Reason  string
	Buckets map[string]bool // only values of these buckets are bad; nil: nothing in the file can be trusted
}

func (d *Damage) Error() string { return "the file is damaged: " + d.Reason }

// concerns reports whether what bucket lacks may be lost rather than never have been there.
func (d *Damage) concerns(bucket string) bool { return d.Buckets == nil || d.Buckets[bucket] }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumSize = crc32.Size

// separator stands around a key in its checksum.
const separator = "\x1f"

// sumOf is the checksum of what stands at a place: a value that turns up at another place is as bad as a changed one.
func sumOf(bucket, key string, value []byte) uint32 {
	place := make([]byte, 0, 128) // on the stack
	place = append(append(append(append(place, bucket...), separator...), key...), separator...)
	return crc32.Update(crc32.Update(0, castagnoli, place), castagnoli, value)
}

// sealed is value as it is stored: behind its checksum.
func sealed(at Place, value []byte) []byte {
	stored := make([]byte, sumSize, sumSize+len(value))
	binary.BigEndian.PutUint32(stored, sumOf(at.Bucket, at.Key, value))
	return append(stored, value...)
}

// opened returns what was sealed, false if that is not what stored holds.
func opened(bucket, key string, stored []byte) (value []byte, ok bool) {
	if len(stored) < sumSize {
		return nil, false
	}
	value = stored[sumSize:]
	return value, binary.BigEndian.Uint32(stored) == sumOf(bucket, key, value)
}

// The layout of a bbolt file, whose numbers are in the byte order of the machine. A page has a header and elements, then
// the elements' keys and values, without gaps.
const (
	pageHeaderSize  = 16 // id 8, flags 2, count 2, overflow 4
	pageElementSize = 16 // branch: position 4, key's size 4, page 8; leaf: flags 4, position 4, sizes 4 and 4
	bucketHeadSize  = 16 // root page 8, sequence 8
	pageMost        = 64 << 10
	metaSumOffset   = 56
	metaSize        = metaSumOffset + 8

	branchPage   = 0x01
	leafPage     = 0x02
	metaPage     = 0x04
	freelistPage = 0x10
	manyFree     = 0xFFFF // as count: the number of free pages stands before their ids

	boltMagic   = 0xED0CDAED
	boltVersion = 2
)

// inspection walks through a file. bbolt itself trusts what it reads: a changed byte can lead it round in circles, out of
// the file, or past what it looks for. Therefore each page below the last must be used once or free once, each page must be
// filled exactly, and keys must be in order.
type inspection struct {
	file     io.ReaderAt
	pageSize uint64
	pages    uint64
	used     []bool
	format   []byte
	buckets  map[string]bool
	bad      Damage // what the values showed
}

// inspect returns nil for a file that is whole, or holds nothing yet.
func inspect(file io.ReaderAt, size int64, layout Layout) *Damage {
	if size == 0 {
		return nil
	}
	i := &inspection{file: file, buckets: make(map[string]bool)}
	if err := i.walk(uint64(size)); err != nil {
		return &Damage{Reason: err.Error()}
	}
	if len(i.buckets) == 0 {
		return nil // one that was made, and then the program was killed
	}
	if string(i.format) != layout.Format {
		return &Damage{Reason: "it was written by another version of this program"}
	}
	for _, name := range layout.all() {
		if !i.buckets[name] {
			return &Damage{Reason: "bucket " + name + " is missing"}
		}
	}
	if i.bad.Reason != "" {
		return &i.bad
	}
	return nil
}

func (i *inspection) walk(size uint64) error {
	root, free, err := i.readMeta(size)
	if err != nil {
		return err
	}
	i.used = make([]bool, i.pages)
	i.used[0], i.used[1] = true, true
	if err := i.readFree(free); err != nil {
		return err
	}
	if err := i.readTree("", root, nil, nil); err != nil {
		return err
	}
	for id, used := range i.used {
		if !used {
			return fmt.Errorf("page %d is neither used nor free", id)
		}
	}
	return nil
}

// readMeta reads both heads of the file. bbolt takes the older one if the newer is bad, and so the past for the present.
func (i *inspection) readMeta(size uint64) (root, free uint64, err error) {
	head := make([]byte, pageHeaderSize+metaSize)
	var newest uint64
	for id := range uint64(2) {
		if _, err := i.file.ReadAt(head, int64(id*i.pageSize)); err != nil {
			return 0, 0, fmt.Errorf("read its head: %w", err)
		}
		meta := head[pageHeaderSize:]
		sum := fnv.New64a()
		_, _ = sum.Write(meta[:metaSumOffset])
		pageSize, pages := uint64(binary.NativeEndian.Uint32(meta[8:])), binary.NativeEndian.Uint64(meta[40:])
		if binary.NativeEndian.Uint64(head) != id || binary.NativeEndian.Uint16(head[8:]) != metaPage ||
			binary.NativeEndian.Uint32(meta) != boltMagic || binary.NativeEndian.Uint32(meta[4:]) != boltVersion ||
			binary.NativeEndian.Uint64(meta[metaSumOffset:]) != sum.Sum64() ||
			pageSize < pageHeaderSize+metaSize || pageSize > pageMost || id == 1 && pageSize != i.pageSize {
			return 0, 0, fmt.Errorf("head %d is not one of such a file", id)
		}
		i.pageSize = pageSize
		if turn := binary.NativeEndian.Uint64(meta[48:]); turn >= newest {
			newest, i.pages = turn, pages
			root, free = binary.NativeEndian.Uint64(meta[16:]), binary.NativeEndian.Uint64(meta[32:])
		}
	}
	if i.pages < 2 || i.pages > size/i.pageSize {
		return 0, 0, fmt.Errorf("it has %d bytes, and should have %d pages of %d", size, i.pages, i.pageSize)
	}
	return root, free, nil
}

// page reads page id, which must be of one of kinds, and takes note that it is used.
func (i *inspection) page(id uint64, kinds uint16) ([]byte, error) {
	if id < 2 || id >= i.pages {
		return nil, fmt.Errorf("there is no page %d", id)
	}
	head := make([]byte, pageHeaderSize)
	if _, err := i.file.ReadAt(head, int64(id*i.pageSize)); err != nil {
		return nil, fmt.Errorf("read page %d: %w", id, err)
	}
	kind, more := binary.NativeEndian.Uint16(head[8:]), uint64(binary.NativeEndian.Uint32(head[12:]))
	if binary.NativeEndian.Uint64(head) != id || kind&kinds == 0 || kind&(kind-1) != 0 || more >= i.pages-id {
		return nil, fmt.Errorf("page %d has another's head", id)
	}
	for n := id; n <= id+more; n++ {
		if err := i.use(n); err != nil {
			return nil, err
		}
	}
	page := make([]byte, (1+more)*i.pageSize)
	if _, err := i.file.ReadAt(page, int64(id*i.pageSize)); err != nil {
		return nil, fmt.Errorf("read page %d: %w", id, err)
	}
	return page, nil
}

func (i *inspection) use(id uint64) error {
	if id >= i.pages || i.used[id] {
		return fmt.Errorf("page %d is used twice", id)
	}
	i.used[id] = true
	return nil
}

func (i *inspection) readFree(id uint64) error {
	page, err := i.page(id, freelistPage)
	if err != nil {
		return err
	}
	count, ids := uint64(binary.NativeEndian.Uint16(page[10:])), page[pageHeaderSize:]
	if count == manyFree {
		count, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return fmt.Errorf("%d free pages do not fit into their list", count)
	}
	for n := range count {
		if err := i.use(binary.NativeEndian.Uint64(ids[8*n:])); err != nil {
			return err
		}
	}
	return nil
}

// readTree reads a page of bucket, "" for that of the buckets themselves, and those below. Its keys must be from first to
// before end.
func (i *inspection) readTree(bucket string, id uint64, first, end []byte) error {
	page, err := i.page(id, branchPage|leafPage)
	if err != nil {
		return err
	}
	if page[8] == leafPage {
		return i.readLeaf(bucket, page, first, end)
	}
	keys, below, err := branchesOf(page)
	if err != nil || len(keys) == 0 {
		return fmt.Errorf("page %d is not filled as a branch", id)
	}
	for n, key := range keys {
		until := end
		if n+1 < len(keys) {
			until = keys[n+1]
		}
		if !within(key, first, until) {
			return fmt.Errorf("keys are out of order on page %d", id)
		}
		if err := i.readTree(bucket, below[n], key, until); err != nil {
			return err
		}
	}
	return nil
}

func within(key, first, end []byte) bool {
	return bytes.Compare(key, first) >= 0 && (end == nil || bytes.Compare(key, end) < 0)
}

var errPageFilled = fmt.Errorf("a page is not filled as it should be")

// part cuts the next size bytes off what follows the elements. They must begin at position, counted from element n.
func part(page []byte, at *uint64, n int, position, size uint32) ([]byte, error) {
	begin := pageHeaderSize + uint64(n)*pageElementSize + uint64(position)
	if begin != *at || begin+uint64(size) > uint64(len(page)) {
		return nil, errPageFilled
	}
	*at += uint64(size)
	return page[begin:*at], nil
}

func elementsOf(page []byte) (count int, after uint64, err error) {
	count = int(binary.NativeEndian.Uint16(page[10:]))
	after = pageHeaderSize + uint64(count)*pageElementSize
	if after > uint64(len(page)) {
		return 0, 0, errPageFilled
	}
	return count, after, nil
}

func branchesOf(page []byte) (keys [][]byte, below []uint64, err error) {
	count, at, err := elementsOf(page)
	if err != nil {
		return nil, nil, err
	}
	for n := range count {
		element := page[pageHeaderSize+n*pageElementSize:]
		key, err := part(page, &at, n, binary.NativeEndian.Uint32(element), binary.NativeEndian.Uint32(element[4:]))
		if err != nil {
			return nil, nil, err
		}
		keys, below = append(keys, key), append(below, binary.NativeEndian.Uint64(element[8:]))
	}
	return keys, below, nil
}

// readLeaf reads the values of bucket that stand on page, or the buckets.
func (i *inspection) readLeaf(bucket string, page, first, end []byte) error {
	count, at, err := elementsOf(page)
	if err != nil {
		return err
	}
	for n := range count {
		element := page[pageHeaderSize+n*pageElementSize:]
		size := binary.NativeEndian.Uint32(element[8:])
		both, err := part(page, &at, n, binary.NativeEndian.Uint32(element[4:]), size)
		if err != nil {
			return err
		}
		value, err := part(page, &at, n, binary.NativeEndian.Uint32(element[4:])+size, binary.NativeEndian.Uint32(element[12:]))
		if err != nil {
			return err
		}
		if !within(both, first, end) || n > 0 && bytes.Equal(both, first) {
			return fmt.Errorf("keys of bucket %q are out of order", bucket)
		}
		first = both
		if isBucket := binary.NativeEndian.Uint32(element) == 1; isBucket != (bucket == "") || binary.NativeEndian.Uint32(element) > 1 {
			return fmt.Errorf("%q of bucket %q is of another kind", both, bucket)
		}
		if bucket == "" {
			err = i.readBucket(string(both), value)
		} else {
			i.value(bucket, string(both), value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readBucket reads a bucket, which is a tree of pages, or small and stands where its root would be named.
func (i *inspection) readBucket(name string, value []byte) error {
	if name == "" || len(value) < bucketHeadSize {
		return fmt.Errorf("bucket %q has no head", name)
	}
	i.buckets[name] = true
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return i.readTree(name, root, nil, nil)
	}
	page := value[bucketHeadSize:]
	if len(page) < pageHeaderSize || binary.NativeEndian.Uint16(page[8:]) != leafPage {
		return fmt.Errorf("bucket %q has no page", name)
	}
	return i.readLeaf(name, page, nil, nil)
}

func (i *inspection) value(bucket, key string, stored []byte) {
	if bucket == stateBucket && key == formatKey {
		i.format = bytes.Clone(stored)
		return
	}
	if _, ok := opened(bucket, key, stored); !ok {
		if i.bad.Reason == "" {
			i.bad = Damage{Reason: fmt.Sprintf("the value of %q in bucket %s is not what was written", key, bucket), Buckets: map[string]bool{}}
		}
		i.bad.Buckets[bucket] = true
	}
}
