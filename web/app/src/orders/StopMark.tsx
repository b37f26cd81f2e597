import type { Station } from '../api/types'

const GREEN = '#2f6f5e'
const GREY = '#8b9691'

/** The mark of a stop; each state has its own shape, not its colour alone. */
export function StopMark({ state, doubt }: { state: Station['state']; doubt: boolean }) {
  if (doubt)
    return (
      <svg className="stop__mark" viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="12" cy="12" r="10" fill="#fcf5e6" stroke="#d9a441" strokeWidth="2" strokeDasharray="3.5 2.5" />
        <path d="M9.5 10a2.5 2.5 0 1 1 3.4 2.3c-.6.3-.9.7-.9 1.4m0 2.6v.2" fill="none" stroke="#7a5206" strokeWidth="1.8" strokeLinecap="round" />
      </svg>
    )
  return (
    <svg className="stop__mark" viewBox="0 0 24 24" aria-hidden="true">
      {state === 'done' && (
        <>
          <circle cx="12" cy="12" r="10" fill={GREEN} />
          <path d="m7.5 12.3 3 3 6-6.2" fill="none" stroke="#fff" strokeWidth="2" strokeLinecap="round" />
        </>
      )}
      {state === 'passed' && (
        <>
          <circle cx="12" cy="12" r="9.5" fill="#fff" stroke={GREEN} strokeWidth="1.5" strokeDasharray="3 2.4" />
          <path d="m7.8 12.3 2.9 2.9 5.5-5.8" fill="none" stroke={GREEN} strokeWidth="1.8" strokeLinecap="round" />
        </>
      )}
      {state === 'running' && (
        <>
          <circle className="stop__pulse" cx="12" cy="12" r="10" fill="#cfe3dc" />
          <circle cx="12" cy="12" r="7.5" fill={GREEN} />
          <path d="m10.3 9 4.6 3-4.6 3z" fill="#fff" />
        </>
      )}
      {state === 'current' && (
        <>
          <circle cx="12" cy="12" r="9.5" fill="#fff" stroke={GREEN} strokeWidth="2.5" />
          <circle cx="12" cy="12" r="4" fill={GREEN} />
        </>
      )}
      {state === 'waiting' && <circle cx="12" cy="12" r="7" fill="#fff" stroke={GREY} strokeWidth="1.5" />}
    </svg>
  )
}
