import type { FlowRunStep } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { DataView } from './DataView'
import { FlowStateTag } from './FlowStateTag'

function Step({ step, at }: { step: FlowRunStep; at: number }) {
  const { t, say } = useLanguage()
  const { fullTime, duration } = useFormats()
  const took =
    step.started_at && step.ended_at ? (Date.parse(step.ended_at) - Date.parse(step.started_at)) / 1000 : null
  return (
    <li className={`step step--${step.state}`} aria-current={step.state === 'running' || step.state === 'waiting' ? 'step' : undefined}>
      <span className="step__mark num" aria-hidden="true">
        {at + 1}
      </span>
      <div className="step__body">
        <p className="step__head">
          <b>{say(step.label)}</b>
          <FlowStateTag state={step.state} />
          {step.tries > 1 && <span className="warn small">{t('flow_run.tries', { n: step.tries })}</span>}
        </p>
        <p className="muted small">
          <span className="code">{step.id}</span> · <span className="code">{step.step}</span>
          {step.started_at && <span className="num"> · {fullTime(step.started_at)}</span>}
          {took !== null && took >= 1 && <span className="num"> · {duration(took)}</span>}
        </p>
        {step.failure && (
          <p className={`step__failure${step.state === 'failed' ? ' step__failure--final' : ''}`}>
            {step.state !== 'failed' && <b>{t('flow_run.trying')} </b>}
            {say(step.failure.message)} <span className="code">{step.failure.code}</span>
          </p>
        )}
        {step.output && Object.keys(step.output).length > 0 && (
          <details className="step__data">
            <summary>{t('flow_run.output')}</summary>
            <DataView data={step.output} />
          </details>
        )}
      </div>
    </li>
  )
}

/** The steps of a run in order, with what became of each. */
export function StepList({ steps }: { steps: FlowRunStep[] }) {
  const { t } = useLanguage()
  return (
    <ol className="steps" aria-label={t('flow.steps')}>
      {steps.map((step, at) => (
        <Step key={step.id} step={step} at={at} />
      ))}
    </ol>
  )
}
