package journal

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type result struct {
	Codes  []int8
	Scales []float32
	Names  map[string]float64
}

func TestKeepAndLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out.journal")
	id := IDOf("net", "recipe")
	want := result{[]int8{-8, 7, 0}, []float32{0.1, float32(math.Copysign(0, -1)), math.MaxFloat32}, map[string]float64{"a": 1e-300}}
	var got result
	if found, err := Load(dir, id, "conv1", &got); found || err != nil {
		t.Fatal("found before it was kept", found, err)
	}
	if err := Keep(dir, id, "conv1", &want); err != nil {
		t.Fatal(err)
	}
	got.Names = map[string]float64{"left over": 1}
	if found, err := Load(dir, id, "conv1", &got); !found || err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v: %v, want %v", found, err, got, want)
	}
	for name, other := range map[string]func() (bool, error){
		"key":  func() (bool, error) { return Load(dir, id, "conv2", &got) },
		"work": func() (bool, error) { return Load(dir, IDOf("netrecipe"), "conv1", &got) },
	} {
		if found, err := other(); found || err != nil {
			t.Errorf("another %s: %v, %v", name, found, err)
		}
	}
	if own, other := Entries(dir, id); own != 1 || other != 0 {
		t.Errorf("%d and %d entries", own, other)
	}
	if own, other := Entries(dir, IDOf("x")); own != 0 || other != 1 {
		t.Errorf("%d and %d entries of another work", own, other)
	}
}

// TestDamage changes every byte of an entry, and cuts it short.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	id := IDOf("work")
	if err := Keep(dir, id, "k", &result{Codes: []int8{1, 2, 3}}); err != nil {
		t.Fatal(err)
	}
	file := path(dir, id, "k")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	check := func(data []byte) {
		t.Helper()
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		got := result{Codes: []int8{9}}
		if found, err := Load(dir, id, "k", &got); found || err == nil || !strings.Contains(err.Error(), file) || got.Codes != nil {
			t.Errorf("%v, %v, %v", found, err, got)
		}
	}
	for i := range whole {
		bad := append([]byte{}, whole...)
		bad[i] ^= 4
		check(bad)
	}
	check(whole[:len(whole)-1])
	check(nil)
}

func TestOtherType(t *testing.T) {
	dir := t.TempDir()
	text := "no struct"
	if err := Keep(dir, IDOf(), "k", &text); err != nil {
		t.Fatal(err)
	}
	if found, err := Load(dir, IDOf(), "k", &result{}); found || err == nil {
		t.Errorf("a text is read as a struct: %v, %v", found, err)
	}
	if err := Keep(dir, IDOf(), "k", &struct{ F func() }{}); err == nil {
		t.Error("a function was kept")
	}
}

// TestRemove leaves what others put into the folder.
func TestRemove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	for _, key := range []string{"a", "b"} {
		if err := Keep(dir, IDOf(), key, &key); err != nil {
			t.Fatal(err)
		}
	}
	half, own := filepath.Join(dir, ".0123.part.77"), filepath.Join(dir, "notes.txt")
	for _, file := range []string{half, own} {
		if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 || list[0].Name() != "notes.txt" {
		t.Errorf("%v, %v", list, err)
	}
	if err := os.Remove(own); err != nil {
		t.Fatal(err)
	}
	if err := Remove(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the empty folder is left: %v", err)
	}
	if err := Remove(dir); err != nil {
		t.Errorf("no folder: %v", err)
	}
}
