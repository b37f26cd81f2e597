import type { Fact } from '../api/types'
import { useLanguage } from '../i18n'
import { SourceLinks } from '../parts/SourceLinks'

/** Further facts of the order, each with its source. */
export function OrderFacts({ facts }: { facts: Fact[] }) {
  const { t, say } = useLanguage()
  if (facts.length === 0) return null
  return (
    <section className="card">
      <h2>{t('fact.title')}</h2>
      <ul className="facts">
        {facts.map((fact) => (
          <li key={fact.label.en}>
            <span className="muted">{say(fact.label)}</span>
            <span>{fact.value ?? '–'}</span>
            <SourceLinks sources={fact.sources} of={say(fact.label)} />
          </li>
        ))}
      </ul>
    </section>
  )
}
