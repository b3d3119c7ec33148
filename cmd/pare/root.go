package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"pare"
	"pare/internal/cpu"
	"pare/internal/fault"
)

// app holds what all verbs share.
type app struct {
	stdout, stderr io.Writer
	json, quiet    bool
	verbose        int
	threads        int
	seed           uint64
	bar            bar
}

type command struct{ *cobra.Command }

// execute runs a command line without cobra's own reporting.
func (c command) execute(ctx context.Context, args []string) error {
	c.SetArgs(args)
	return c.ExecuteContext(ctx)
}

// verbs makes the sub-commands, in the order of the help text.
var verbs = []func(*app) *cobra.Command{
	demoCmd, inspectCmd, compressCmd, evalCmd, benchCmd, compareCmd, runCmd, methodsCmd, kernelsCmd,
}

const helpEnd = `
EXIT STATUS
  0    done
  1    failed
  2    wrong usage
  3    done, but a goal of --require or --target was not met
  130  interrupted
`

func (a *app) root() command {
	root := &cobra.Command{
		Use:   "pare",
		Short: "Make trained ONNX networks small and fast, without retraining",
		Long: `pare compresses trained ONNX networks after training, writes standard ONNX
files, runs them on CPUs and says what the compression cost.

  pare demo                                   the whole product, on an embedded network
  pare compress resnet50.onnx -o small.onnx   8 bits, without data`,
		Version:           pare.Version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: a.prepare,
	}
	cobra.EnableCommandSorting = false
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetUsageTemplate(root.UsageTemplate() + helpEnd)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage(hinted(err, c)) })
	f := root.PersistentFlags()
	f.BoolVar(&a.json, "json", false, "one JSON document on stdout")
	f.IntVar(&a.threads, "threads", 0, "worker threads, 0 for all processors")
	f.Uint64Var(&a.seed, "seed", 0, "seed of everything random")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no progress")
	f.CountVarP(&a.verbose, "verbose", "v", "log what is done; twice for more")
	root.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usage(unknownCommand(c, args[0]))
		}
		return nil
	}
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	root.SetHelpCommand(helpCmd(root))
	for _, v := range verbs {
		root.AddCommand(v(a))
	}
	return command{root}
}

// prepare checks the common flags and sets progress and log up.
func (a *app) prepare(*cobra.Command, []string) error {
	if a.threads < 0 {
		return usage(fmt.Errorf("--threads %d: want 0 or more", a.threads))
	}
	if err := cpu.Err(); err != nil {
		return usage(err)
	}
	a.bar = newBar(a.stderr, a.quiet)
	return nil
}

// log is where methods report what they do.
func (a *app) log() *slog.Logger {
	level := slog.LevelError
	switch {
	case a.verbose > 1:
		level = slog.LevelDebug
	case a.verbose == 1:
		level = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level}))
}

// files takes exactly so many arguments; each is named in the error.
func files(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usage(hinted(fmt.Errorf("%s is missing", names[len(args)]), c))
		}
		if len(args) > len(names) {
			return usage(hinted(fmt.Errorf("unexpected argument %q", args[len(names)]), c))
		}
		return nil
	}
}

func helpCmd(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return usage(unknownCommand(root, args[0]))
			}
			return c.Help()
		},
	}
}

// unknownCommand suggests what was probably meant.
func unknownCommand(c *cobra.Command, word string) error {
	err := fmt.Errorf("unknown command %q", word)
	c.SuggestionsMinimumDistance = 2
	if like := c.SuggestionsFor(word); len(like) > 0 {
		return fault.Hint(err, "did you mean pare %s?", like[0])
	}
	return hinted(err, c)
}
