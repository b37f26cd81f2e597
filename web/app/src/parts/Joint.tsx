/** The mark: a tongue in its mortise. */
export function Joint({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path fill="#2f6f5e" d="M2 4h14v7h7v10h-7v7H2z" />
      <path fill="#d9a441" d="M19 4h11v24H19v-4h7V8h-7z" />
    </svg>
  )
}
