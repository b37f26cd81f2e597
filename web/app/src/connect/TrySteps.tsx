import { useLanguage } from '../i18n'
import type { TryStep } from './types'

const SHAPES = { true: '✓', false: '✕', null: '–' } as const

/** Each step of a test: a tick, or the driver's own words and what to do. */
export function TrySteps({ steps }: { steps: TryStep[] }) {
  const { t, say } = useLanguage()
  return (
    <ol className="try" aria-live="polite" aria-label={t('connect.test')}>
      {steps.map(({ step, ok, message, detail, milliseconds }) => (
        <li key={step} className={`try__step try__step--${ok}`}>
          <span className="try__mark" aria-hidden="true">
            {SHAPES[`${ok}`]}
          </span>
          <div className="try__words">
            <p>
              <b>{t(`connect.step.${step}`)}</b>
              <span className="visually-hidden">{t(`connect.step.${ok}`)}</span>
              {ok && <span className="muted small num"> {milliseconds} ms</span>}
            </p>
            <p className={ok === false ? '' : 'muted'}>{say(message)}</p>
            {detail && <pre className="try__detail code">{detail}</pre>}
          </div>
        </li>
      ))}
    </ol>
  )
}

/** Whether the test came through. */
export const passed = (steps: TryStep[]): boolean => steps.length > 0 && steps.every((step) => step.ok !== false)
