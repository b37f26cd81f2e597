import { useQuery } from '@tanstack/react-query'
import { answer, api } from '../api/client'
import { useLanguage } from '../i18n'

/** The sources as choices of a filter. */
export function useSourceChoices(): { value: string; label: string }[] {
  const { say } = useLanguage()
  const sources = useQuery({ queryKey: ['sources'], queryFn: () => answer(api.GET('/api/sources')) })
  return (sources.data ?? []).map((source) => ({ value: source.code, label: say(source.label) }))
}
