const DEEPEST = 20

/**
 * JSON laid out for reading, a value a line, without touching a character of it: numbers keep
 * their digits, texts their escapes, doubled keys stay doubled.
 */
export function layout(json: string): string {
  const parts = json.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g) ?? []
  let text = ''
  let depth = 0
  const line = (): string => `\n${'  '.repeat(Math.min(DEEPEST, Math.max(0, depth)))}`
  for (const [at, part] of parts.entries()) {
    const before = parts[at - 1]
    if (part === '}' || part === ']') {
      depth -= 1
      text += before === '{' || before === '[' ? part : line() + part
      continue
    }
    if (before === '{' || before === '[' || before === ',') text += line()
    text += part === ':' ? ': ' : part
    if (part === '{' || part === '[') depth += 1
  }
  return text
}
