package mux

import "slices"

// queueKeeps is how many empty places a queue that has run empty may keep, so that a steady flow
// allocates nothing and an idle session holds nothing large.
const queueKeeps = 16

// queue is first in, first out. The zero queue is empty and holds no memory.
type queue[T any] struct {
	items []T
	head  int
}

func (q *queue[T]) len() int { return len(q.items) - q.head }

// at is the item with i others before it.
func (q *queue[T]) at(i int) *T { return &q.items[q.head+i] }

func (q *queue[T]) push(item T) {
	if len(q.items) == cap(q.items) && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, item)
}

// remove takes out the item with i others before it.
func (q *queue[T]) remove(i int) { q.items = slices.Delete(q.items, q.head+i, q.head+i+1) }

func (q *queue[T]) pop() T {
	item := q.items[q.head]
	clear(q.items[q.head : q.head+1]) // so that it does not hold on to what was popped
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > queueKeeps {
			q.items = nil
		}
	}
	return item
}
