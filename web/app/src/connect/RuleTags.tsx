import { useLanguage } from '../i18n'
import type { Rule, Target } from './types'
import '../masters/Masters.css'

/** What a rule does besides reading a column, in a few words. */
export function RuleTags({ rule, entities }: { rule: Rule | undefined; entities: Target[] }) {
  const { t, say } = useLanguage()
  if (!rule) return null
  const name = (entity: string): string => say(entities.find((one) => one.entity === entity)?.label) || entity
  const tags: string[] = []
  if (rule.clean && rule.clean !== 'text') tags.push(t(`rule.tag.clean.${rule.clean}`))
  if (rule.master) tags.push(t('rule.tag.master', { name: name(rule.master) }))
  if (rule.ref) tags.push(t('rule.tag.ref', { name: name(rule.ref) }))
  const translated = Object.keys(rule.choices ?? {}).length
  if (translated) tags.push(t('rule.tag.choices', { n: translated }))
  if (rule.times) tags.push(t('rule.tag.times', { name: rule.times }))
  if (rule.default !== undefined && rule.default !== null) tags.push(t('rule.tag.default', { value: String(rule.default) }))
  if (tags.length === 0) return null
  return (
    <p className="systems rule__tags">
      {tags.map((tag) => (
        <span key={tag} className="systems__chip">
          {tag}
        </span>
      ))}
    </p>
  )
}
