// YAML with colours, completion, and a mark where the server says it is wrong.
import { autocompletion, type CompletionContext, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { MergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import { completeSigma } from './sigma';

export interface Problem {
  message: string;
  line: number;
  column: number;
}

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: tags.comment, color: 'var(--faint)', fontStyle: 'italic' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--high)' },
  { tag: [tags.punctuation, tags.separator], color: 'var(--faint)' },
]);

const look = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--surface)', color: 'var(--ink)', fontSize: '0.8125rem' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '1.5' },
  '.cm-gutters': { backgroundColor: 'var(--raised)', color: 'var(--faint)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--hover)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--selected) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--surface)', border: '1px solid var(--line-strong)', color: 'var(--ink)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--selected)', color: 'var(--ink)' },
  '.cm-completionDetail': { color: 'var(--faint)' },
  // Its own look is light in a dark theme too, with a sign that few fonts have.
  '.cm-collapsedLines': { background: 'var(--raised)', color: 'var(--muted)', padding: '2px 8px' },
  '.cm-collapsedLines:before, .cm-collapsedLines:after': { content: '"⋯"' },
  '.cm-changedLine': { backgroundColor: 'var(--warn-soft) !important' },
});

const shared = [lineNumbers(), yaml(), syntaxHighlighting(colours), look, EditorView.lineWrapping];

function sigmaSource(context: CompletionContext) {
  const line = context.state.doc.lineAt(context.pos);
  const found = completeSigma(line.text.slice(0, context.pos - line.from), context.state.doc.toString());
  if (!found || (found.back === 0 && !context.explicit && !/[|:]\s?$/.test(line.text))) return null;
  return {
    from: context.pos - found.back,
    options: found.choices.map(({ label, insert, detail }) => ({ label, apply: insert, detail })),
    validFor: /^[\w.-]*$/,
  };
}

interface YamlEditorProps {
  text: string;
  problem: Problem | null;
  readOnly?: boolean;
  onChange(text: string): void;
}

export function YamlEditor({ text, problem, readOnly = false, onChange }: YamlEditorProps) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef({ text, onChange });
  latest.current = { text, onChange };
  useEffect(() => {
    if (!box.current) return;
    const editor = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          ...shared,
          history(),
          drawSelection(),
          highlightActiveLine(),
          lintGutter(),
          indentUnit.of('    '),
          autocompletion({ override: [sigmaSource] }),
          // Escape, then Tab, leaves the editor: the keyboard is not trapped.
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorState.readOnly.of(readOnly),
          EditorView.contentAttributes.of({ 'aria-label': 'Sigma rule' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, [readOnly]);
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const { doc } = editor.state;
    const line = problem ? doc.line(Math.max(1, Math.min(doc.lines, problem.line || 1))) : null;
    const from = line && problem ? Math.min(line.to, line.from + Math.max(0, problem.column - 1)) : 0;
    editor.dispatch(
      setDiagnostics(
        editor.state,
        line && problem
          ? [{ from, to: Math.max(from, line.to), severity: 'error', message: problem.message, source: 'Sigma' }]
          : [],
      ),
    );
  }, [problem]);
  return <div ref={box} className="min-h-0 grow overflow-hidden" />;
}

/** Two texts beside each other, with what differs marked. */
export function YamlDiff({ before, after }: { before: string; after: string }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!box.current) return;
    const side = (doc: string, label: string) => ({
      doc,
      extensions: [...shared, EditorState.readOnly.of(true), EditorView.contentAttributes.of({ 'aria-label': label })],
    });
    const view = new MergeView({
      parent: box.current,
      a: side(before, 'Before'),
      b: side(after, 'After'),
      collapseUnchanged: { margin: 3 },
    });
    return () => view.destroy();
  }, [before, after]);
  return <div ref={box} className="max-h-96 overflow-auto rounded-lg border border-line" />;
}
