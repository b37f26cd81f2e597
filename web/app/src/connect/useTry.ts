import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { tryConnection } from './calls'
import { passed } from './TrySteps'
import type { SettingsOf, TryStep } from './types'

type Try = {
  steps: TryStep[] | null
  ok: boolean
  pending: boolean
  error: unknown
  run: (settings: SettingsOf) => void
  forget: () => void
}

/** The test of a connection that is being described; a change of it makes the outcome void. */
export function useTry(connector: string, source?: string): Try {
  const [steps, setSteps] = useState<TryStep[] | null>(null)
  const tried = useMutation({
    mutationFn: (settings: SettingsOf) => tryConnection({ connector, settings, ...(source && { source }) }),
    onSuccess: (answer) => setSteps(answer.steps),
  })
  return {
    steps,
    ok: steps !== null && passed(steps),
    pending: tried.isPending,
    error: tried.error,
    run: (settings) => {
      setSteps(null)
      tried.mutate(settings)
    },
    forget: () => {
      setSteps(null)
      tried.reset()
    },
  }
}
