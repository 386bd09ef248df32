import { Component, type ReactNode } from 'react'

interface ChartBoundaryProps {
  fallback: ReactNode
  children: ReactNode
}

/** Keeps a chart that cannot be loaded or drawn from taking the host's page down. */
export class ChartBoundary extends Component<ChartBoundaryProps, { hasFailed: boolean }> {
  override state = { hasFailed: false }

  static getDerivedStateFromError() {
    return { hasFailed: true }
  }

  override render() {
    return this.state.hasFailed ? this.props.fallback : this.props.children
  }
}
