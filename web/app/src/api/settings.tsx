import { useQuery } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { answer, api } from './client'
import type { Settings } from './types'

/** How the plant's clock runs against this browser's. */
export type PlantClock = { zone: string; pace: number | null; now: () => number }

const FALLBACK_ZONE = 'Asia/Shanghai'

/** The public facts of this installation; read once, again every five minutes. */
export function useSettings(): (Settings & { readAt: number }) | undefined {
  return useQuery({
    queryKey: ['settings'],
    queryFn: async () => ({ ...(await answer(api.GET('/api/settings'))), readAt: Date.now() }),
    staleTime: 300_000,
    refetchInterval: 300_000,
  }).data
}

/** The plant's clock: real time, or the demo's faster one. */
export function usePlantClock(): PlantClock {
  const settings = useSettings()
  if (settings === undefined) return { zone: FALLBACK_ZONE, pace: null, now: Date.now }
  const base = Date.parse(settings.now)
  const pace = settings.demo_pace ?? 1
  return {
    zone: settings.zone,
    pace: settings.demo_pace,
    now: () => base + (Date.now() - settings.readAt) * pace,
  }
}

function subscribeSeconds(tick: () => void): () => void {
  const timer = setInterval(tick, 1000)
  return () => clearInterval(timer)
}

/** Renders again each second, for ages and clocks. */
export function useSecond(): number {
  return useSyncExternalStore(subscribeSeconds, () => Math.floor(Date.now() / 1000))
}
